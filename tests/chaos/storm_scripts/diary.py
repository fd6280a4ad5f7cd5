# Says when this process trained its first batch.
import time

from keras.callbacks import Callback

has_begun = []  # of this process: the attributes of a callback come back after a restart


class Diary(Callback):
    def on_train_batch_end(self, batch, logs=None):
        if not has_begun:
            has_begun.append(True)
            print(f"diary: first batch at {time.time():.2f}", flush=True)
