<?php
// Whoever asks is signed in as the person of behaviour.json.
$behaviour = json_decode(file_get_contents(getenv('PROVIDER_FOLDER') . '/behaviour.json'), true);
$config = [
    'person' => array_merge(
        ['exampleauth:StaticSource'],
        array_map(fn ($text) => [$text], $behaviour['person'] ?? ['uid' => 'nobody'])
    ),
];
