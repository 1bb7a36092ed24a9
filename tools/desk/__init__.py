"""The service desk's shop and the tools that act in it for one signed-in customer."""
