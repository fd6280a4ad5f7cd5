"""Facts about Keras and scikit-learn that reading a script needs: their names."""

from __future__ import annotations

CONVOLUTIONS = frozenset(
    {
        "Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D",
        "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D", "SeparableConvolution2D",
        "DepthwiseConv1D", "DepthwiseConv2D", "Conv1DTranspose", "Conv2DTranspose",
        "Conv3DTranspose", "Convolution2DTranspose", "Deconvolution2D", "LocallyConnected1D",
        "LocallyConnected2D",
    }
)  # fmt: skip
RECURRENT = frozenset(
    {
        "LSTM", "GRU", "SimpleRNN", "RNN", "CuDNNLSTM", "CuDNNGRU", "ConvLSTM1D", "ConvLSTM2D",
        "ConvLSTM3D", "Bidirectional", "LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells",
    }
)  # fmt: skip
ATTENTION = frozenset(
    {"MultiHeadAttention", "Attention", "AdditiveAttention", "GroupQueryAttention"}
)
DENSE = frozenset({"Dense"})
# Layers that have weights: the last one of a model makes its output.
WEIGHTED = CONVOLUTIONS | RECURRENT | ATTENTION | DENSE | {"Embedding", "EinsumDense"}
# Layers that belong to the weighted layer before them.
COMPANIONS = frozenset(
    {
        "Activation", "BatchNormalization", "LayerNormalization", "LeakyReLU", "PReLU", "ELU",
        "ReLU", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout",
        "GaussianDropout", "GaussianNoise",
    }
)  # fmt: skip
# Layers whose inputs must have the same shape, so that widening one branch breaks them.
MERGING = frozenset(
    {
        "Add", "add", "Multiply", "multiply", "Subtract", "subtract", "Average", "average",
        "Maximum", "maximum", "Minimum", "minimum", "Dot", "dot",
    }
)  # fmt: skip
_OTHER_LAYERS = frozenset(
    {
        "Input", "InputLayer", "Flatten", "Reshape", "Permute", "RepeatVector", "Lambda",
        "Masking", "TimeDistributed", "Concatenate", "concatenate", "Softmax", "Rescaling",
        "Resizing", "Normalization", "RandomFlip", "RandomRotation", "RandomZoom", "RandomCrop",
        "RandomContrast", "RandomTranslation", "CategoryEncoding", "StringLookup",
        "IntegerLookup", "TextVectorization", "Discretization", "Hashing", "UpSampling1D",
        "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
        "Cropping1D", "Cropping2D", "Identity", "UnitNormalization", "ActivityRegularization",
        "GroupNormalization", "SpectralNormalization",
        *(
            f"{kind}{what}{n}D"
            for kind in ("", "Global")
            for what in ("MaxPooling", "MaxPool", "AveragePooling", "AvgPool")
            for n in (1, 2, 3)
        ),
    }
)  # fmt: skip
LAYERS = WEIGHTED | COMPANIONS | MERGING | _OTHER_LAYERS

# What a star import may bring in.
KERAS_NAMES = LAYERS | {
    "Sequential", "Model", "layers", "models", "keras", "applications", "optimizers",
}  # fmt: skip

ESTIMATOR_MODULES = frozenset(
    {
        "calibration", "cluster", "discriminant_analysis", "dummy", "ensemble",
        "gaussian_process", "linear_model", "mixture", "multiclass", "multioutput", "naive_bayes",
        "neighbors", "neural_network", "semi_supervised", "svm", "tree",
    }
)  # fmt: skip
SKLEARN_NAMES = frozenset(
    {
        "AdaBoostClassifier", "BaggingClassifier", "BernoulliNB", "DecisionTreeClassifier",
        "DecisionTreeRegressor", "ElasticNet", "ExtraTreesClassifier", "ExtraTreesRegressor",
        "GaussianNB", "GradientBoostingClassifier", "GradientBoostingRegressor",
        "HistGradientBoostingClassifier", "HistGradientBoostingRegressor",
        "KNeighborsClassifier", "KNeighborsRegressor", "Lasso", "LinearDiscriminantAnalysis",
        "LinearRegression", "LinearSVC", "LogisticRegression", "MLPClassifier", "MLPRegressor",
        "MultinomialNB", "NearestCentroid", "NuSVC", "PassiveAggressiveClassifier", "Perceptron",
        "QuadraticDiscriminantAnalysis", "RandomForestClassifier", "RandomForestRegressor",
        "Ridge", "RidgeClassifier", "SGDClassifier", "SVC", "SVR", "StackingClassifier",
        "VotingClassifier",
    }
)  # fmt: skip

# Other frameworks: no image has them.
FOREIGN = frozenset(
    {
        "autokeras", "caffe", "catboost", "fastai", "flax", "jax", "lightgbm", "lightning",
        "mxnet", "paddle", "pytorch_lightning", "theano", "torch", "torchvision", "transformers",
        "xgboost",
    }
)  # fmt: skip

# Every road to Keras, longest first.
_KERAS_ROOTS = (
    "tensorflow.contrib.keras.python.keras",
    "tensorflow.compat.v1.keras",
    "tensorflow.compat.v2.keras",
    "tensorflow.contrib.keras",
    "tensorflow.keras.api",
    "tensorflow.python.keras",
    "tensorflow_core.keras",
    "tensorflow.keras",
    "keras.api._v2.keras",
    "keras.api",
    "keras.src",
    "keras_core",
    "tf_keras",
)


def canonical(dotted: str) -> str:
    """Return a dotted name with every road to Keras written as `keras`."""
    for root in _KERAS_ROOTS:
        if dotted == root or dotted.startswith(root + "."):
            return "keras" + dotted[len(root) :]
    return dotted


def keras_layer(dotted: str | None) -> str | None:
    """Return the layer's class name if a canonical dotted name is a Keras layer."""
    if dotted is None or not dotted.startswith("keras."):
        return None
    name = dotted.rpartition(".")[2]
    return name if name in LAYERS else None


def is_pretrained(dotted: str | None) -> bool:
    """Tell whether a canonical dotted name is a ready-made network of keras.applications."""
    if dotted is None:
        return False
    head, _, name = dotted.rpartition(".")
    return head.startswith("keras.applications") and name[:1].isupper()


def sklearn_estimator(dotted: str | None) -> str | None:
    """Return the class name if a dotted name is an estimator of scikit-learn."""
    parts = (dotted or "").split(".")
    if len(parts) < 3 or parts[0] != "sklearn" or parts[1] not in ESTIMATOR_MODULES:
        return None
    return parts[-1] if parts[-1][:1].isupper() else None
