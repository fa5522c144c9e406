function addGraph(figure) {}
