"""What the pages read: each function is bounded in the rows it looks at, whatever the size of the company."""
