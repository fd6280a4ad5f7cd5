#!/usr/bin/env python
# coding: utf-8

# # Digits, as Jupyter exports it

# In[1]:


get_ipython().run_line_magic('matplotlib', 'inline')
import keras
import matplotlib.pyplot as plt
from keras import layers
from shown import numbers, show

# In[2]:


x, y = numbers()
model = keras.models.Sequential()
model.add(keras.Input((6, 1)))
model.add(layers.Conv1D(4, 3, activation="relu"))
model.add(layers.LSTM(5))
model.add(layers.Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="nadam", metrics=["accuracy"])
model.summary()

# In[3]:


history = model.fit(x[..., None], y, validation_split=0.25, epochs=4, batch_size=16)
plt.plot(history.history["accuracy"])
plt.show()

# In[4]:


show(history, model)
model.evaluate(x[..., None], y)
