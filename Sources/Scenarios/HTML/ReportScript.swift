/// The report's only script: reads the timeline's lanes out under the pointer or the arrow keys. Without it the page
/// is complete, with the browser's own tooltips.
enum ReportScript {
  static let javaScript = #"""
    (() => {
      const plot = document.getElementById('lanes'), tip = document.getElementById('tip');
      if (!plot || !tip) return;
      const svg = plot.querySelector('svg');
      const lanes = [...svg.querySelectorAll('g')].map(g => {
        const title = g.querySelector('title'), text = title.textContent;
        title.remove();
        return { g, text };
      });
      let current = -1;
      const show = (index, x, y) => {
        if (current >= 0) lanes[current].g.classList.remove('on');
        current = index;
        lanes[index].g.classList.add('on');
        tip.textContent = lanes[index].text;
        tip.hidden = false;
        const width = tip.offsetWidth, height = tip.offsetHeight;
        const left = Math.max(8, Math.min(x + 14, innerWidth - width - 8));
        const top = y + 18 + height > innerHeight ? y - height - 12 : y + 18;
        tip.style.transform = `translate(${left}px, ${Math.max(8, top)}px)`;
      };
      const hide = () => {
        if (current >= 0) lanes[current].g.classList.remove('on');
        current = -1;
        tip.hidden = true;
      };
      svg.addEventListener('pointermove', event => {
        const box = svg.getBoundingClientRect();
        const index = Math.floor((event.clientY - box.top) / box.height * lanes.length);
        if (index >= 0 && index < lanes.length) show(index, event.clientX, event.clientY);
      });
      svg.addEventListener('pointerleave', hide);
      plot.addEventListener('blur', hide);
      plot.addEventListener('keydown', event => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (event.key === 'Escape') return hide();
        if (!step) return;
        event.preventDefault();
        const index = Math.max(0, Math.min(lanes.length - 1, current + step));
        const box = svg.getBoundingClientRect();
        show(index, box.left + box.width / 3, box.top + box.height * (index + 1) / lanes.length);
      });
    })();
    """#
}
