"""`python -m amends`: the command line without the installed script."""

from amends.cli import main

if __name__ == "__main__":
    main()
