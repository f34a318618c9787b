<?php
// The identity provider: its keys, and the identifier that it makes of the employee number.
$url = json_decode(file_get_contents(getenv('PROVIDER_FOLDER') . '/config.json'), true)['url'];
$behaviour = json_decode(file_get_contents(getenv('PROVIDER_FOLDER') . '/behaviour.json'), true);
$metadata["$url/metadata"] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'idp.key',
    'certificate' => 'idp.crt',
    'auth' => 'person',
    'sign.logout' => true,
    'redirect.sign' => true,
    'redirect.validate' => $behaviour['want_signed_requests'] ?? false,
    'SingleSignOnServiceBinding' => [
        'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
        'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
    ],
    'authproc' => [
        10 => [
            'class' => 'saml:AttributeNameID',
            'attribute' => 'employeeNumber',
            'Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
        ],
    ],
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
];
