"""Two web pages with pictures: one beside its files, one that carries everything inside."""

from __future__ import annotations

import base64

import pymupdf

from sample_data.press import scenes
from sample_data.press.faces import CORAL, DEEP, INK, MIST, MUTED, PAPER, SAND, TEAL, mix
from sample_data.press.pen import box, line, write


def visitor_centre() -> dict[str, bytes]:
    """The visitor page and its two pictures, as relative path to content."""
    harbour = scenes.to_jpeg(scenes.sound_at_dusk(900, 520, 23), 74)
    return {
        "visitor-centre.html": _VISITOR.encode(),
        "visitor-centre_files/harbour.jpg": harbour,
        "visitor-centre_files/floor-plan.png": _floor_plan(),
    }


def wildlife_watch() -> dict[str, bytes]:
    """The page of the wildlife watch; its picture is a data: address, its chart inline SVG."""
    sound = scenes.to_jpeg(scenes.spectrogram(760, 340, 5), 72)
    address = "data:image/jpeg;base64," + base64.b64encode(sound).decode()
    page = _WILDLIFE.replace("{{sound}}", address).replace("{{chart}}", _seal_chart())
    return {"wildlife-watch.html": page.encode()}


def _floor_plan() -> bytes:
    document = pymupdf.open()
    page = document.new_page(width=520, height=300)
    rooms = [
        ((20, 40, 250, 190), "Tide hall", "model of the sound", TEAL),
        ((250, 40, 390, 190), "Workshop window", "watch a nacelle being opened", DEEP),
        ((390, 40, 500, 130), "Touch tank", "anemones and crabs", CORAL),
        ((250, 190, 390, 270), "Shop and tickets", "", SAND),
        ((390, 130, 500, 270), "Café", "view of the quay", SAND),
        ((20, 190, 250, 270), "Lecture room", "40 seats", MUTED),
    ]
    box(page, (20, 40, 500, 270), fill=mix(MIST, 0.5))
    for bbox, name, note, colour in rooms:
        box(page, bbox, fill=mix(colour, 0.22), edge=INK)
        middle, y = (bbox[0] + bbox[2]) / 2, (bbox[1] + bbox[3]) / 2
        write(page, (middle, y), name, font="sans-bold", size=10.5, align="centre")
        if note:
            size = 7.2 if len(note) > 20 else 8
            write(page, (middle, y + 13), note, size=size, align="centre")
    line(page, [(300, 270), (340, 270)], PAPER, 3)
    write(page, (320, 286), "Entrance", font="sans-bold", size=9, align="centre")
    write(page, (20, 26), "Visitor centre, ground floor", font="sans-bold", size=12)
    return page.get_pixmap(dpi=130).tobytes("png")


def _seal_chart() -> str:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    counts = [64, 58, 71, 83, 90, 112, 138, 151, 204, 262, 187, 96]
    parts = []
    for index, (month, count) in enumerate(zip(months, counts, strict=True)):
        x, height = 42 + index * 48, count * 0.7
        shade = "#d15c40" if count == max(counts) else "#128085"
        parts.append(
            f'<rect x="{x}" y="{220 - height:g}" width="32" height="{height:g}" fill="{shade}"/>'
            f'<text x="{x + 16}" y="{213 - height:g}">{count}</text>'
            f'<text x="{x + 16}" y="238">{month}</text>'
        )
    return (
        '<svg viewBox="0 0 640 260" role="img" aria-label="Grey seals on the skerries, by month"'
        ' xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="13"'
        ' text-anchor="middle" fill="#1b2124">'
        '<line x1="30" y1="220" x2="630" y2="220" stroke="#1b2124"/>' + "".join(parts) + "</svg>"
    )


_STYLE = """
  body { font: 17px/1.6 Georgia, "Times New Roman", serif; color: #1b2124; margin: 0; }
  header, main, footer { max-width: 44rem; margin: 0 auto; padding: 1rem 1.2rem; }
  nav a { margin-right: 1.2rem; color: #0d4559; }
  h1, h2, h3 { font-family: "Helvetica Neue", Arial, sans-serif; color: #0d4559; line-height: 1.2; }
  figure { margin: 1.6rem 0; } img, svg { max-width: 100%; height: auto; }
  figcaption { font: 14px/1.4 "Helvetica Neue", Arial, sans-serif; color: #566067; }
  table { border-collapse: collapse; width: 100%; font-size: 15px; }
  th, td { border: 1px solid #c7cfd3; padding: .35rem .6rem; text-align: left; }
  th { background: #e3ecef; } dt { font-weight: bold; margin-top: .6rem; }
  pre { background: #f3f5f5; padding: .8rem; overflow: auto; font-size: 14px; }
  footer { color: #566067; font-size: 14px; border-top: 1px solid #dfe3e4; }
"""

_VISITOR = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Visitor centre | Veyra Tidal</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{_STYLE}</style>
</head>
<body>
<header>
<nav>
<a href="#hours">Opening hours</a><a href="#see">What to see</a><a href="#way">How to get here</a>
</nav>
</header>
<main>
<article>
<h1>Visitor centre on the north quay</h1>
<p>Four times a day the water in front of our windows stops, turns and runs the other way. The
visitor centre in Port Ansel shows what that does to a strait, and what people have made of it.
It stands on the north quay, next to the hall in which our machines are taken apart, so that you
may well meet one of them with its lid off.</p>
<figure>
<img src="visitor-centre_files/harbour.jpg" width="900" height="520"
 alt="Evening light over Veyra Sound with the hills of Ollen Island behind still water">
<figcaption>Slack water in the evening, seen from the terrace of the café.</figcaption>
</figure>
<h2 id="hours">Opening hours</h2>
<dl>
<dt>May to September</dt><dd>Every day from 10:00 to 18:00.</dd>
<dt>October to April</dt><dd>Thursday to Sunday from 11:00 to 16:00.</dd>
<dt>Closed</dt><dd>24 to 26 December, and on days with a red storm warning.</dd>
</dl>
<p>School classes are welcome outside of these hours. Please write two weeks ahead; a guide who
works on the barge will lead you, weather permitting.</p>
<h2 id="see">What to see</h2>
<p>Begin in the tide hall. A model of the sound, nine metres long, runs through a whole tidal day
in twelve minutes, and shows why the water hurries over Brae Sill. From there a corridor leads past
the workshop window. Children go straight to the touch tank, and that is fine too.</p>
<figure>
<img src="visitor-centre_files/floor-plan.png" width="939" height="542"
 alt="Plan of the rooms: tide hall and lecture room to the left, workshop window and shop in the
 middle, touch tank and café to the right">
<figcaption>Rooms on the ground floor; all doors are wide enough for wheelchairs.</figcaption>
</figure>
<h3>Guided walks</h3>
<table>
<caption>Walks that start at the ticket desk</caption>
<thead><tr><th>Walk</th><th>Days</th><th>Starts</th><th>Takes</th></tr></thead>
<tbody>
<tr><td>Behind the workshop window</td><td>Tuesday, Friday</td>
<td>14:00</td><td>50 minutes</td></tr>
<tr><td>Along the cable to the landing</td><td>Saturday</td>
<td>11:30</td><td>2 hours</td></tr>
<tr><td>Seal watch at Brae Holm light</td><td>Sunday, September only</td>
<td>13:00</td><td>3 hours</td></tr>
</tbody>
</table>
<h2 id="way">How to get here</h2>
<p>The ferry from Ollen Island lands five minutes away. From the railway station take bus 12 to the
stop North Quay; it runs every twenty minutes. There are eight places for cars, three of them with
a charging post that is fed, of course, by the tide.</p>
<ul>
<li>Dogs may come along, except to the touch tank.</li>
<li>Drones must stay in their boxes: the helicopter of the lifeboat lands next door.</li>
<li>The terrace may be slippery. The seals find this amusing.</li>
</ul>
</article>
</main>
<footer>Veyra Tidal, North Quay 3, Port Ansel</footer>
</body>
</html>
"""

_WILDLIFE = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Wildlife watch 2024 | Veyra Tidal</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{_STYLE}</style>
</head>
<body>
<main>
<article>
<h1>Wildlife watch 2024</h1>
<p>Since 2017 the parishes of Ansel and Ollen have paid, through the community fund, for a watch
over the animals of Veyra Sound. It is run by the Ollen school together with two biologists, and
what it finds is published here whether it pleases the operator or not.</p>
<h2>Listening for porpoises</h2>
<p>Six hydrophones lie among the turbines, each about a metre above the floor. They hear the
whistles of dolphins, the clicks of porpoises and, less happily, every ship. A computer sorts the
sounds; pupils of the upper classes check one hour in fifty by ear.</p>
<figure>
<img src="{{{{sound}}}}" width="760" height="340"
 alt="Spectrogram with four bright rising and falling whistles above three level engine lines">
<figcaption>Two minutes of sound from hydrophone 4 on 3 June: whistles above, a ferry
below.</figcaption>
</figure>
<p>Porpoises passed on 211 days. They come most often at slack water, stay for eleven minutes on
average, and keep a distance of some 60 metres from a turning rotor. In eight years no animal was
seen to be struck.</p>
<h2>Seals on the skerries</h2>
<p>Grey seals are counted once a month from Brae Holm light, at low water, by two people with
telescopes. The pups are born in autumn, and that is when the rocks are fullest.</p>
<figure>
{{{{chart}}}}
<figcaption>Animals hauled out below the light in 2024, highest count in red.</figcaption>
</figure>
<h2>Birds</h2>
<table>
<caption>Breeding pairs on Brae Holm</caption>
<thead><tr><th>Species</th><th>2017</th><th>2020</th><th>2024</th></tr></thead>
<tbody>
<tr><td>Kittiwake</td><td>412</td><td>398</td><td>431</td></tr>
<tr><td>Black guillemot</td><td>57</td><td>63</td><td>71</td></tr>
<tr><td>Arctic tern</td><td>140</td><td>96</td><td>88</td></tr>
<tr><td>Common eider</td><td>205</td><td>211</td><td>219</td></tr>
</tbody>
</table>
<p>The fall of the terns began before the turbines did and is seen along the whole coast. Sand
eels, their food, have moved north. The watch has asked for a mink fence on the southern skerry,
which the fund will pay for in 2025.</p>
<h2>Use the counts yourself</h2>
<p>All counts since 2017 may be used freely. Each line of the file has a date, a place, a species
and a number:</p>
<pre><code>date,place,species,count
2024-10-13,Brae Holm,grey seal,262
2024-10-13,Brae Holm,common seal,9
</code></pre>
<h2>Words</h2>
<dl>
<dt>Hauled out</dt><dd>A seal on land or on a rock, resting.</dd>
<dt>Hydrophone</dt><dd>A microphone for use under water.</dd>
<dt>Skerry</dt><dd>A low rock that the sea covers in part.</dd>
</dl>
</article>
</main>
<footer>Ollen school and the community fund of Veyra Tidal</footer>
</body>
</html>
"""
