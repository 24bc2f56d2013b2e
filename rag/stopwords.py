"""Words that say nothing about a subject, by language. Knows function words only.

Short lists written for Folio: articles, pronouns, auxiliaries, prepositions, conjunctions and
the words that questions begin with, in the case-folded form in which search sees them. What a
passage can be about is on none of them, and a word that is missing costs little: it is
frequent, so its IDF is low.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LISTS = {
    "en": """
        a about above after again all also am among an and any anyone anything are as at be
        because been before being below between both but by can cannot could did do does doing
        done down during each either few for from further had has have having he hence her here
        hers him his how however i if in into is it its itself just let made make many may me
        might more most much must my neither no nor not of off on once only onto or other our
        ours out over own per same shall she should so some such than that the their theirs them
        then there therefore these they this those through thus to too toward towards under
        until up upon us very via was we were what when where whether which while who whom whose
        why will with within without would you your yours s t ll ve re don doesn didn isn
    """,
    "de": """
        aber alle allem allen aller alles als also am an andere anderen anderer auch auf aus bei
        beim bin bis bist da dabei dadurch dafür damit danach dann daran darauf daraus darin das
        dass davon dazu dein dem den denn der deren des dessen die dies diese diesem diesen
        dieser dieses doch dort du durch ein eine einem einen einer eines er es etwa etwas euch
        für gegen gibt hab habe haben hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre
        ihrem ihren ihrer im in indem ins ist ja jede jedem jeden jeder jedes jene kann kein
        keine keinen können könnte machen man mehr mein mit muss müssen nach nicht nichts noch
        nun nur ob oder ohne schon sehr seid sein seine seinem seinen seiner seit sich sie sind
        so solche soll sollen sollte sondern sowie über um und uns unser unter viel viele vom von
        vor während wann war waren warum was wegen weil welche welchem welchen welcher welches
        wenn wer werde werden wessen wie wieder wieviel will wir wird wo wobei wodurch wofür
        woher womit worauf worden wurde wurden würde würden zu zum zur zwischen
    """,
    "fr": """
        ai ainsi alors après au aucun aucune auquel aussi autre autres aux avait avant avec avez
        avoir avons c car ce ceci cela celle celles celui ces cet cette ceux chaque chez comme
        comment d dans de depuis des dont donc du duquel elle elles en encore entre est et étaient
        était été être eu eux fait faut furent fut il ils j je jusque l la là laquelle le lequel
        les lesquelles lesquels leur leurs lors lui m ma mais me même mes moi moins mon n ne ni
        non nos notre nous on ont ou où par parce pas pendant peu peut peuvent plus pour pourquoi
        qu quand que quel quelle quelles quels qui quoi s sa sans se selon sera serait ses si son
        sont sous sur t ta te tel telle tes toi ton tous tout toute toutes très tu un une vers
        vos votre vous y
    """,
    "es": """
        a al algo alguna algunas alguno algunos ante antes aquel aquella así aún aunque cada como
        cómo con contra cual cuál cuales cuáles cualquier cuando cuándo cuanta cuánta cuantas
        cuántas cuanto cuánto cuantos cuántos de del desde donde dónde durante e el él ella ellas
        ellos en entre era eran es esa esas ese eso esos esta está están estas este esto estos fue
        fueron ha había habían haber hace han hasta hay he la las le les lo los más me mi mientras
        mis muy ni no nos nosotros nuestra nuestro o os otra otras otro otros para pero poco por
        porque pues que qué quien quién quienes quiénes se sea según ser si sí sido sin sino sobre
        son su sus también tan tanto te tiene tienen todo todos tu tus un una unas uno unos u y ya
        yo
    """,
    "it": """
        a ad agli ai al alla alle allo anche ancora avere aveva c che chi ci cioè col come con
        contro cosa così cui d da dagli dai dal dalla dalle dallo degli dei del dell della delle
        dello di dopo dove e è ed era erano essere fa fra fu gli ha hai hanno ho i il in io l la
        le lei li lo loro lui ma mentre mi mia mio ne negli nei nel nell nella nelle nello noi non
        nostra nostro o ogni oppure per perché però più poi può qual quale quali quando quanta
        quante quanti quanto quella quelle quelli quello questa queste questi questo qui s se sei
        sempre senza si sia siamo siete solo sono sopra sotto stata stati stato su sua sue sugli
        sui sul sull sulla sulle suo suoi t ti tra tu tua tuo tutta tutte tutti tutto un una uno vi
        voi
    """,
    "pt": """
        a ante ao aos após aquela aquele aqueles aquilo as às até cada com como contra da das de
        dela dele deles desde do dos durante e é ela elas ele eles em enquanto entre era eram essa
        essas esse esses esta está estão estas este estes eu foi foram há isso isto já lhe lhes
        mais mas me mesmo meu minha muito na nas não nem no nos nós nossa nosso num numa o onde os
        ou para pela pelas pelo pelos perante pois por porque porquê qual quais quando quanta
        quantas quanto quantos que quê quem se sem ser será seu seus si sido sob sobre sua suas
        também te tem têm ter tinha toda todas todo todos tu tua um uma umas uns você vocês
    """,
    "nl": """
        aan al alle als andere ben bij daar dan dat de der deze die dit doch doen door dus een en
        er geen had hadden heb hebben heeft het hij hoe hoeveel hun iets ik in is ja je jij kan
        kon kunnen maar me meer men met mij mijn moet moeten na naar niet nog nu of om omdat ons
        onze ook op over reeds s t te tegen toch toen tot tussen u uit uw van veel voor waar
        waarom wanneer waren was wat we wel welk welke werd werden wie wij wil worden wordt zal ze
        zelf zich zij zijn zo zonder zou zullen
    """,
    "sv": """
        all alla alltså än andra åt att av bara blev bli blir då dag de dem den denna deras dess
        dessa det detta dig din du där efter eller en enligt ett finns från för ha hade han hans
        har hennes hon hos hur i icke in inte ja jag kan kunde man med mellan men mer mig min mot
        mycket någon något några när ni nu och också om oss på samma sig sin sina sitt ska skall
        skulle som så till under upp ut utan vad var vara varför vem vi vid vilka vilken vilket
        vår är
    """,
    "da": """
        ad af alle alt anden at blev blive bliver da de dem den denne der deres det dette dig din
        disse dog du efter eller en end er et for fordi fra få ham han hans har havde have hende
        hendes her hos hun hvad hvem hver hvilke hvilken hvilket hvis hvor hvordan hvorfor hvornår
        i ikke ind jeg kan kunne man mange med meget mellem men mig min mod ned noget nogle når nu
        og også om op os over på samme selv sig sin sit skal skulle som sådan til ud uden under
        var vi vil ville vor være været
    """,
    "no": """
        alle andre at av ble bli blir da de dem den denne der deres det dette dette din disse du
        eller en enn er et ett etter for fordi fra får ha hadde han hans har hennes her hos hun
        hva hvem hver hvilke hvilken hvilket hvis hvor hvordan hvorfor i ikke inn jeg kan kunne
        man mange med meget mellom men mer mot mye må noe noen nå når og også om opp oss over på
        samme seg selv sin sitt skal skulle som så til ut uten var ved vi vil ville være vært vår
    """,
    "pl": """
        a aby ale bardzo bez bo by był była było były być ci co czy dla do gdy gdzie go i ich ile
        im inne innych ja jak jaka jaki jakie jako je jednak jego jej jest jestem już kiedy kto
        która które którego której który których którzy ma mają mi między może można my na nad nam
        nas nie nim niż o od on ona one oni oraz po pod podczas poza przed przez przy są się ta
        tak także tam te tego tej ten to tu ty tych tylko tym u w we więc wszystko wszystkich z za
        ze że
    """,
    "tr": """
        ama ancak arasında artık aslında ayrıca bana bazı belki ben beni benim bile bir biraz biri
        birkaç birçok biz bize bizim böyle bu buna bunda bundan bunlar bunu bunun burada çok çünkü
        da daha de değil diğer diye dolayı en fakat gibi göre hangi hangisi hani hem henüz hep hepsi
        her hiç için ile ilgili ise işte kaç kadar kendi ki kim kimin kimse mı mi mu mü nasıl ne
        neden nedir nerede nereye niçin niye o olan olarak oldu olduğu olup on ona ondan onlar
        onların onu onun orada oysa öyle pek rağmen sadece sen siz şey şu tüm üzere var ve veya ya
        yani yerine yine yok zaten
    """,
    "ru": """
        а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да даже
        для до его ее её ей если есть еще ещё же за здесь и из или им их к как какая какие каким
        каких какой какое когда который которая которое которые которых кто куда ли либо между меня
        мне много может можно мой мы на над надо нам нас не него нее неё нет ни них но ну о об
        однако он она они оно от очень по под после потом потому почему при про раз с сам свой своих
        себя сколько со так также такой там те тем то того тоже той только том тот ты у уже хотя
        чего чей чем что чтобы чье эта эти этих это этого этой этом этот я
    """,
    "ar": """
        أن أو أي إذا إلا إلى إن التي الذي الذين اللذان اللتان الى ان انه او اي ب بعد بعض بل بها به
        بين تلك تم ثم حتى حول حيث خلال ذلك عليها عليه على عن عند عندما غير ف في فيه فيها قد قبل ك
        كان كانت كل كم كما كيف لا لأن لكن لم لماذا لن له لها ليس ما ماذا متى مع من منذ منه منها مثل
        نحن هذا هذه هل هم هناك هنا هو هي و وقد وهو وهي يكون يا أين
    """,
    "fa": """
        آن آنها از است اگر اما او ای این اینکه با باید بر برای بعد بود بودن بودند به بین بی پس پیش
        تا تو چرا چقدر چند چه چون چگونه چیست حتی خود خواهد در درباره دو دیگر را روی زیر شد شده شود
        شما سپس که کجا کدام کرد کرده کردن کن کنند کنید کی ما مانند من می نیز نیست ها های هایی هر هم
        همه همین هنوز هیچ و ولی وی یا یک یکی
    """,
    "hi": """
        अगर अपना अपनी अपने अब आदि आप इन इस इसका इसकी इसके इसमें इसे उन उनका उनकी उनके उस उसका उसकी
        उसके उसे एक और कई कब कर करता करते करना करने कहा कहाँ का कि कितना कितनी कितने किया किस किसी
        की कुछ के को कोई कौन क्या क्यों गई गए गया जब जा जाता जिस जिसमें जो तक तथा तब तो था थी थे द्वारा
        न नहीं ने पर फिर बहुत बाद भी मे में मैं यदि यह यहाँ या ये रहा रही रहे लिए लेकिन व वह वाला वाली
        वाले वे सब सभी साथ से हम ही हुआ हुई हुए है हैं हो होता होती होते होना
    """,
}

# By ISO 639-1 code; a language without a list has none of these words.
STOP_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split()) for language, words in _LISTS.items()
}
