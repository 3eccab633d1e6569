"""Import closed complaints from a CSV file of another system (`amends import`)."""
