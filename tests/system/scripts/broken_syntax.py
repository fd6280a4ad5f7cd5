from sklearn.neighbors import KNeighborsClassifier

knn = KNeighborsClassifier(n_neighbors=3
knn.fit([[0], [1]], [0, 1])
