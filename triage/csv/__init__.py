"""The one reader of CSV files that other programs wrote: encoding, rows, columns, labelled examples.

Import its modules by their full names, such as `triage.csv.reader`; `import csv` is the standard library's.
"""
