"""Other students' ways to write the factorization; the case files change them by `edit`."""

LOOPED = '''
def latent_factor_alternating_optimization(R, non_zero_idx, k, val_idx, val_values,
                                           reg_lambda, max_steps=100, init='random',
                                           log_every=1, patience=5, eval_every=1, optimizer='sgd', lr=1e-2):
    """Alternating optimization: for loops over users and restaurants."""
    R = R.tocsr()
    n_users, n_items = R.shape
    Q, P = initialize_Q_P(R, k, init)
    non_zero = (non_zero_idx[:, 0], non_zero_idx[:, 1])
    values = np.array(R[non_zero]).flatten()
    users, items = non_zero

    train_losses = []
    validation_losses = []
    converged_after = -1
    best_val_loss = np.inf
    best_Q, best_P = Q.copy(), P.copy()
    bad_evals = 0
    best_step = 0

    for step in range(max_steps):
        if optimizer == 'als':
            for u in range(n_users):
                rated = items[users == u]
                r_u = values[users == u]
                P_u = P[:, rated]
                Q[u] = np.linalg.solve(P_u @ P_u.T + reg_lambda * np.eye(k), P_u @ r_u)
            for i in range(n_items):
                raters = users[items == i]
                r_i = values[items == i]
                Q_i = Q[raters]
                P[:, i] = np.linalg.solve(Q_i.T @ Q_i + reg_lambda * np.eye(k), Q_i.T @ r_i)
        elif optimizer == 'sgd':
            for idx in np.random.permutation(len(values)):
                u = users[idx]
                i = items[idx]
                e = values[idx] - Q[u, :] @ P[:, i]
                grad_q = -2 * e * P[:, i] + 2 * reg_lambda * Q[u, :]
                grad_p = -2 * e * Q[u, :] + 2 * reg_lambda * P[:, i]
                Q[u, :] = Q[u, :] - lr * grad_q
                P[:, i] = P[:, i] - lr * grad_p
        else:
            raise ValueError('unknown optimizer')

        if step % eval_every == 0:
            train_loss = loss(values, non_zero, Q, P, reg_lambda)
            val_loss = loss(val_values, val_idx, Q, P, reg_lambda=0)
            train_losses.append(train_loss)
            validation_losses.append(val_loss)
            if val_loss < best_val_loss:
                best_val_loss = val_loss
                best_Q, best_P = Q.copy(), P.copy()
                best_step = step
                bad_evals = 0
            else:
                bad_evals += 1
                if bad_evals >= patience:
                    converged_after = best_step
                    break
        if step % log_every == 0:
            print('Iteration {}, training loss: {:.3f}, validation loss: {:.3f}'.format(step, train_losses[-1], validation_losses[-1]))

    return best_Q, best_P, validation_losses, train_losses, converged_after
'''
RIDGE = """
from sklearn.linear_model import Ridge


def latent_factor_alternating_optimization(R, non_zero_idx, k, val_idx, val_values, reg_lambda, max_steps=100,
                                           init='random', log_every=1, patience=5, eval_every=1,
                                           optimizer='sgd', lr=1e-2):
    rows, cols = non_zero_idx.T
    y = np.asarray(R[rows, cols]).reshape(-1)
    by_user = {u: np.where(rows == u)[0] for u in np.unique(rows)}
    by_item = {i: np.where(cols == i)[0] for i in np.unique(cols)}
    Q, P = initialize_Q_P(R, k, init)
    ridge = Ridge(alpha=reg_lambda, fit_intercept=False)
    val_hist, train_hist = [], []
    best = None
    since_best = 0
    converged_after = -1
    for it in range(max_steps):
        if it % eval_every == 0:
            val_hist.append(loss(val_values, val_idx, Q, P, 0))
            train_hist.append(loss(y, (rows, cols), Q, P, reg_lambda))
            if best is None or val_hist[-1] < best[0]:
                best = (val_hist[-1], it, Q.copy(), P.copy())
                since_best = 0
            else:
                since_best = since_best + 1
            if since_best == patience:
                converged_after = best[1]
                break
        if it % log_every == 0:
            print(f"it={it} train={train_hist[-1]:.2f} val={val_hist[-1]:.2f}")
        if optimizer == 'als':
            for u, n in by_user.items():
                Q[u] = ridge.fit(P[:, cols[n]].T, y[n]).coef_
            for i, n in by_item.items():
                P[:, i] = ridge.fit(Q[rows[n]], y[n]).coef_
        else:
            order = np.arange(len(y))
            np.random.shuffle(order)
            for n in order:
                u, i = rows[n], cols[n]
                err = y[n] - np.dot(Q[u], P[:, i])
                q_old = Q[u].copy()
                Q[u] += lr * (err * P[:, i] - reg_lambda * Q[u])
                P[:, i] += lr * (err * q_old - reg_lambda * P[:, i])
    return best[2], best[3], val_hist, train_hist, converged_after
"""
