# Runs in the image: imports the libraries once, then starts each training in a process of its own.
#
# A line of JSON from stdin is a training: folder, environment, arguments, kill. The exit code goes
# to stdout. `kill` is (fit, batch): kill -9 at the end of that batch, before anybody else hears of
# it; batches are those that this process trained in the fit, fits are numbered by the script.
# (0, n) kills at the n-th call of a tf.function, which is what a loop of the script's own is made of.
import json
import os
import signal
import sys


def die_at(callbacks, fit, batch):
    """Kill this process at a batch; skipped fits count as fits, they have no batches."""
    counts = {"fit": 0, "batch": 0}
    begin, end = callbacks.on_train_begin, callbacks.on_train_batch_end

    def on_train_begin(self, *args, **kwargs):
        counts.update(fit=counts["fit"] + 1, batch=0)
        return begin(self, *args, **kwargs)

    def on_train_batch_end(self, *args, **kwargs):
        counts["batch"] += 1
        if (counts["fit"], counts["batch"]) == (fit, batch):
            os.kill(os.getpid(), signal.SIGKILL)
        return end(self, *args, **kwargs)

    callbacks.on_train_begin, callbacks.on_train_batch_end = on_train_begin, on_train_batch_end


def die_at_call(function, number):
    """Kill this process at a call of a tf.function."""
    counts = {"calls": 0}
    call = function.__call__

    def counted(self, *args, **kwargs):
        counts["calls"] += 1
        if counts["calls"] == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(self, *args, **kwargs)

    function.__call__ = counted


def train(order, callbacks, function):
    folder = order["folder"]
    for number, name in ((1, "stdout"), (2, "stderr")):
        handle = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(f"{folder}/work")
    os.environ.update(order["environment"])
    fit, batch = order["kill"] or (None, None)
    if fit:
        die_at(callbacks, fit, batch)
    elif batch:
        die_at_call(function, batch)
    from pushtrain_trainer.command import main

    code = main(order["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def serve():
    import sklearn.model_selection  # noqa: F401  # here, so that trainings need not wait for it
    import tensorflow

    if os.environ.get("PUSHTRAIN_KERAS") == "legacy":
        from tf_keras.src.callbacks import CallbackList

        # TensorFlow brought it along; the trainer serves tf-keras under this name
        for name in [n for n in sys.modules if n.split(".")[0] == "keras"]:
            del sys.modules[name]
    else:
        from keras.src.callbacks.callback_list import CallbackList

    function = type(tensorflow.function(lambda: 0))
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            try:
                train(order, CallbackList, function)
            finally:
                os._exit(70)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


serve()
os._exit(0)  # nothing is left to be tidied, and that takes TensorFlow a while
