# wine by its neighbours, good enough at once
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)

knn = KNeighborsClassifier(n_neighbors=8)
knn.fit(X_train, y_train)
print("accuracy:", knn.score(X_test, y_test))
