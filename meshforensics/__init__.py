"""meshforensics: forensic investigation toolkit for service meshes."""
