"""What is looked for in a story besides harm, one plain file for each subject and language; see README.md."""
