"""What verbs do once their words are sound: with torch, whose import takes longer than a refusal or a help may."""
