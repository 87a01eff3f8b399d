"""Figures as SVG whose bytes depend on the numbers only."""
import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams.update({"svg.hashsalt": "mcvol", "svg.fonttype": "none", "font.size": 9,
                            "axes.spines.top": False, "axes.spines.right": False})


def save(figure, path):
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    matplotlib.pyplot.close(figure)
