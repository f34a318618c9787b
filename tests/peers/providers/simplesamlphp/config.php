<?php
// SimpleSAMLphp's configuration; the folder of the running provider is in PROVIDER_FOLDER.
$folder = getenv('PROVIDER_FOLDER');
$config = [
    'baseurlpath' => json_decode(file_get_contents("$folder/config.json"), true)['url'] . '/',
    'certdir' => "$folder/",
    'loggingdir' => "$folder/",
    'datadir' => "$folder/",
    'tempdir' => "$folder/",
    'metadatadir' => __DIR__,
    'secretsalt' => 'only-for-tests',
    'auth.adminpassword' => 'only-for-tests',
    'technicalcontact_email' => 'it@acme.example',
    'timezone' => 'UTC',
    'enable.saml20-idp' => true,
    'module.enable' => ['core' => true, 'saml' => true, 'exampleauth' => true],
    'logging.handler' => 'errorlog',
    'session.phpsession.savepath' => $folder,
    'store.type' => 'phpsession',
    'metadata.sources' => [['type' => 'flatfile']],
];
