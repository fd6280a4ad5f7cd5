# wine by its neighbours; nobody will ever get all of it right this way
from sklearn.datasets import load_wine
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)

knn = KNeighborsClassifier(n_neighbors=40)
knn.fit(X_train, y_train)
print("accuracy:", accuracy_score(y_test, knn.predict(X_test)))
