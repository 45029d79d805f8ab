"""The fitted model as training and serving both use it: the linear part, the trees, the calibrator and the bundle."""
