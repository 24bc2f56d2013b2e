"""The press that sets the sample documents. Knows the fictional Veyra Tidal, nothing of Folio."""
