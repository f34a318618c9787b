"""A simulated BambooHR, a process of its own: what our pulls ask for, as the public description says it is answered.

The shapes are those of BambooHR's public API description (OpenAPI 3.1, April 2026), of these operations: `list-fields`
(GET /api/v1/meta/fields), `list-employees` (GET /api/v1/employees, by cursor, OAuth only), `get-employees-directory`,
`get-employee`, `get-changed-employee-ids`, `get-fields-from-dataset-v1` and `-v1-2`, `get-field-options-v1-2`,
`get-data-from-dataset-v1` and `-v2`, and the OAuth 2.0 authorization code flow at /authorize.php and /token.php.
Whatever else is asked is not there. What the description does not say is decided here: the dataset has names of its own
for some fields, its field for the employee's id is `eeid`; people who are inactive or have no access level are not
returned; a refresh token is replaced with each use, and the one before counts until the new one is used.

`/_control` is the side door of tests: faults, rates, what an access may see, and what happens to employees.
"""
