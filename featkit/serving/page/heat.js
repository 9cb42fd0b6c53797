// The heat map over a photograph: yellow speaks for the class, blue against it. Both are seen on
// skin, and by those who do not see red and green.

const FOR = [255, 214, 0];
const AGAINST = [0, 70, 255];
const SIDE = 256;

export function paint(canvas, map) {
  const [left, top, right, bottom] = map.seen;
  Object.assign(canvas.style, {
    left: `${100 * left}%`,
    top: `${100 * top}%`,
    width: `${100 * (right - left)}%`,
    height: `${100 * (bottom - top)}%`,
  });
  canvas.width = canvas.height = SIDE;
  const whole = canvas.getContext("2d");
  whole.imageSmoothingQuality = "high";
  whole.drawImage(small(map.values), 0, 0, SIDE, SIDE);
  canvas.hidden = false;
}

export function explained(map) {
  const way = `${map.way.charAt(0).toUpperCase()}${map.way.slice(1)}`;
  const exact = map.exact ? " It adds up to what the model computes." : "";
  const [left, top, right, bottom] = map.seen;
  const cut = Math.max(left, top, 1 - right, 1 - bottom) > 0.01;
  const frame = cut ? " The model sees nothing outside the frame." : "";
  return `${way}: yellow speaks for ${map.label}, blue against it.${exact}${frame}`;
}

function small(values) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [values[0].length, values.length];
  const inks = canvas.getContext("2d");
  const pixels = inks.createImageData(canvas.width, canvas.height);
  const most = Math.max(1e-9, ...values.flat().map(Math.abs));
  values.flat().forEach((value, place) => {
    pixels.data.set([...(value > 0 ? FOR : AGAINST), (255 * Math.abs(value)) / most], 4 * place);
  });
  inks.putImageData(pixels, 0, 0);
  return canvas;
}
