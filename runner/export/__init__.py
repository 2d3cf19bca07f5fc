"""Records in the forms that others read: the field's result files, tables, model cards, citations."""
