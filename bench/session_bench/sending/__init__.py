"""What messages cost: sending, receiving and files, beside the page's own call and beside one Node process."""
