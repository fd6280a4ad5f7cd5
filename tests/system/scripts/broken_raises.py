from sklearn.datasets import load_wine
from sklearn.neighbors import KNeighborsClassifier

X, y = load_wine(return_X_y=True)
knn = KNeighborsClassifier(n_neighbors=3)
knn.fit(X, y)
print("nearly there")
print("accuracy:", knn.score(X, labels))  # no such name
