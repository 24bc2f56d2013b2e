"""Files to items: detect, parse in a child process, chunk, embed, store."""
