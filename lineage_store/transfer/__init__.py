"""Moving a store: from and to other stores, databases and files."""
