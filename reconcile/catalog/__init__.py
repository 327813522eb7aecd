"""What codes mean: from the file to rows."""
