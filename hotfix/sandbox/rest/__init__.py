"""The REST API: thin routes over the world, one module per topic."""
