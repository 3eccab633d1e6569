"""The command line (docs/surfaces.md): a module for each group of commands; `main` lists all of them."""
