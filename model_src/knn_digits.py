# k nearest neighbours on the digits data

from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

digits = load_digits()
X_train, X_test, y_train, y_test = train_test_split(
    digits.data, digits.target, test_size=0.3, random_state=0, stratify=digits.target)

# lots of neighbours, so that single bad drawings do not matter
knn = KNeighborsClassifier(n_neighbors=200)
knn.fit(X_train, y_train)

y_pred = knn.predict(X_test)
print(classification_report(y_test, y_pred))
print("accuracy:", accuracy_score(y_test, y_pred))
