"""Formats that manifests of several ecosystems are written in, read with bounds."""
