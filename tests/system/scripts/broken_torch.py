import numpy as np

import torch
from torch import nn

net = nn.Linear(4, 2)
print(net(torch.tensor(np.zeros((1, 4), dtype="float32"))))
