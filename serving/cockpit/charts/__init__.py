"""One file per kind of chart: values in, an Altair chart out; `drawing` makes it a picture."""
