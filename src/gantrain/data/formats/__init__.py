"""Files of strangers: pictures, archives, volumes, tables; read within bounds, and volumes written."""
