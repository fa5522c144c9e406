function addSamples(node) {}
