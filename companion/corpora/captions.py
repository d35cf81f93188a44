"""A few captions of pictures that nobody took, English and German, written for this book.

In the manner of Multi30k (Elliott et al. 2016), which the shipped translator learned from and which
does not come with the book: so that it can be measured without.
"""

CAPTIONS = (
    ("A man is playing a guitar.", "Ein Mann spielt Gitarre."),
    ("Two dogs are running on the beach.", "Zwei Hunde rennen am Strand."),
    ("A girl in a red dress is dancing.", "Ein Mädchen in einem roten Kleid tanzt."),
    ("Three children are playing in the snow.", "Drei Kinder spielen im Schnee."),
    ("A woman is reading a book on a bench.", "Eine Frau liest auf einer Bank ein Buch."),
    ("A boy is jumping into a swimming pool.", "Ein Junge springt in ein Schwimmbecken."),
    ("People are waiting for a train.", "Menschen warten auf einen Zug."),
    ("A black cat is sitting on a chair.", "Eine schwarze Katze sitzt auf einem Stuhl."),
    (
        "A young man in a blue shirt is riding a bicycle down the street.",
        "Ein junger Mann in einem blauen Hemd fährt mit dem Fahrrad die Straße entlang.",
    ),
    (
        "An old man with a hat is standing in front of a store.",
        "Ein alter Mann mit Hut steht vor einem Laden.",
    ),
    (
        "A brown dog is catching a ball in the air.",
        "Ein brauner Hund fängt einen Ball in der Luft.",
    ),
    (
        "Two women are sitting at a table and drinking coffee.",
        "Zwei Frauen sitzen an einem Tisch und trinken Kaffee.",
    ),
    ("A child is throwing a stone into the water.", "Ein Kind wirft einen Stein ins Wasser."),
    (
        "A group of people is crossing a busy street.",
        "Eine Gruppe von Menschen überquert eine belebte Straße.",
    ),
    (
        "A woman with long hair is taking a picture of a horse.",
        "Eine Frau mit langen Haaren macht ein Foto von einem Pferd.",
    ),
    (
        "A football player in a white jersey is kicking the ball.",
        "Ein Fußballspieler in einem weißen Trikot schießt den Ball.",
    ),
    ("Two men are working on a roof.", "Zwei Männer arbeiten auf einem Dach."),
    (
        "A little girl is eating ice cream in the park.",
        "Ein kleines Mädchen isst Eis im Park.",
    ),
    (
        "A man wearing a yellow helmet is climbing a rock.",
        "Ein Mann mit einem gelben Helm klettert an einem Felsen.",
    ),
    (
        "Many people are watching a street musician play the violin.",
        "Viele Menschen sehen einem Straßenmusiker beim Geigespielen zu.",
    ),
    ("A dog is lying in the grass and sleeping.", "Ein Hund liegt im Gras und schläft."),
    (
        "The boy is holding a fish that he has caught.",
        "Der Junge hält einen Fisch in der Hand, den er gefangen hat.",
    ),
    (
        "A woman in a green coat is selling flowers at a market.",
        "Eine Frau in einem grünen Mantel verkauft Blumen auf einem Markt.",
    ),
    (
        "Four friends are having dinner in a restaurant.",
        "Vier Freunde essen in einem Restaurant zu Abend.",
    ),
)
