<?php
// The service: its metadata, read by SimpleSAMLphp itself, and what behaviour.json changes.
$folder = getenv('PROVIDER_FOLDER');
$behaviour = json_decode(file_get_contents("$folder/behaviour.json"), true);
$service = \SimpleSAML\Metadata\SAMLParser::parseString(file_get_contents("$folder/service.xml"))->getMetadata20SP();
unset($service['entityDescriptor'], $service['expire'], $service['metadata-set']);
$metadata[$service['entityid']] = array_merge(
    $service,
    ['NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'],
    $behaviour['service'] ?? []
);
