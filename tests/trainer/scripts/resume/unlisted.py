# Models that are never called, with an optimizer for each part and states that Keras does not list.
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from shown import numbers, show

x, y = numbers()


def dense(*widths):
    return keras.Sequential([keras.Input((widths[0],)), *(layers.Dense(n) for n in widths[1:])])


class Pair(keras.Model):
    """Two parts that are trained against each other."""

    def __init__(self):
        super().__init__()
        self.critic, self.maker = dense(6, 4, 1), dense(3, 6)
        self.moved = tf.Variable(0.0, trainable=False)
        self.noise = tf.random.Generator.from_seed(5)
        self.gap = keras.metrics.Mean(name="gap")

    def compile(self, critic_optimizer, maker_optimizer):
        super().compile()
        self.critic_optimizer, self.maker_optimizer = critic_optimizer, maker_optimizer

    @property
    def metrics(self):
        return [self.gap]

    def train_step(self, real):
        real = real[0] if isinstance(real, tuple) else real
        hidden = self.noise.normal((16, 3))
        with tf.GradientTape(persistent=True) as tape:
            made = tf.reduce_mean(self.critic(self.maker(hidden)))
            gap = tf.reduce_mean(self.critic(real)) - made
            worth = tf.square(gap - 1.0) + 0.01 * self.moved
            loss = -made
        self.moved.assign(0.9 * self.moved + 0.1 * gap)
        for part, optimizer, value in (
            (self.critic, self.critic_optimizer, worth), (self.maker, self.maker_optimizer, loss),
        ):
            weights = part.trainable_weights
            optimizer.apply_gradients(zip(tape.gradient(value, weights), weights, strict=True))
        self.gap.update_state(gap)
        return {"gap": self.gap.result()}


for _ in range(2):
    pair = Pair()
    pair.compile(keras.optimizers.Adam(0.01), keras.optimizers.Nadam(0.02))
    history = pair.fit(x, epochs=4, batch_size=16, verbose=0)
    show(history)
    values = [*pair.critic.get_weights(), *pair.maker.get_weights(), pair.moved.numpy()]
    print("weights", [float(np.sum(v, dtype="float64")).hex() for v in values])
    print("weights", int(pair.critic_optimizer.iterations), pair.noise.state.numpy().tolist())

rows = x.reshape(-1, 6, 1)[:96]
model = keras.Sequential([
    keras.Input(batch_shape=(16, 6, 1)), layers.LSTM(3, stateful=True), layers.Dense(1, "sigmoid"),
])  # fmt: skip
model.compile("nadam", "binary_crossentropy", metrics=["accuracy"])
show(model.fit(rows, y[:96], epochs=4, batch_size=16, verbose=0, shuffle=False), model)
