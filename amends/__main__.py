"""`python -m amends`: the command line without the installed script."""

from amends.cli.main import script

if __name__ == "__main__":
    script()
