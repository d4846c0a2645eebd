"""One class per page: a thin door to the services, and the rows the browser may see."""
