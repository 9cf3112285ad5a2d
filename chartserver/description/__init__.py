"""What the HTTP interface takes and answers, for programs and for docs/http.md."""
