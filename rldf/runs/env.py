"""The Gymnasium environment: gridworld + image generator + reward, for any RL library.

`gym.make("rldf.runs.env:rldf/EncodingGrid-v0", grammar=..., generator=..., reward=...)`

Observations · the encoding of the current cell, MultiDiscrete(shape).
Actions · Discrete(2n): 2i is one step down axis i, 2i + 1 one step up. A step over an edge stays
put; `info["action_mask"]` tells which actions move.
Start · a random cell other than the goal, or `options={"start": encoding}`.
Reward · of the image drawn at the new cell (arXiv:2311.15648, "diffusion feedback").
End · at the goal, where one is known, unless `stop_at_goal=False` (paper Fig. 10).
Information · action_mask, sentence, image_seed, distance (-1 where no goal is known).
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any, Self

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.errors import UsageError
from rldf.grammar.encoding import Encoding, fits
from rldf.grammar.grammar import Grammar
from rldf.gridworld import Gridworld
from rldf.interfaces import ImageGenerator, Reward

Observation = NDArray[np.int64]


class EncodingGridEnv(gym.Env[Observation, np.int64]):
    """A walk over the cells of a grammar, paid by what is seen in their images."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012 Gymnasium's form

    def __init__(
        self,
        *,
        grammar: Grammar,
        generator: ImageGenerator,
        reward: Reward,
        goal: Encoding | None = None,
        image_seed: int = 0,
        image_seeds: int = 1,
        stop_at_goal: bool = True,
        dynamic_seeds: bool = False,
        is_terminal: Callable[[Sequence[Image]], list[bool]] | None = None,
        render_mode: str | None = "rgb_array",
    ) -> None:
        """Make an environment; nothing is drawn yet.

        Args:
            grammar: its cells.
            generator: draws a cell's sentence.
            reward: scores the image.
            goal: the terminal cell, None where it is not known.
            image_seed: one seed for all cells, so that rewards are comparable.
            image_seeds: draw each cell with this many seeds, `image_seed` and those after it, and
                pay the mean, against lucky noise; a new cell then costs as many renders.
            stop_at_goal: whether the goal ends an episode.
            dynamic_seeds: draw every step with another seed, to see why the paper advises
                against it: the same cell then pays differently each time.
            is_terminal: tells which images end an episode beside the goal; None for no image.
            render_mode: "rgb_array" or None.
        """
        self.grammar = grammar
        self.world = Gridworld(grammar.shape, grammar.conditions)
        self.goal = goal
        self.render_mode = render_mode
        self.observation_space = gym.spaces.MultiDiscrete(list(grammar.shape))
        self.action_space = gym.spaces.Discrete(self.world.n_actions)
        self._generator, self._reward = generator, reward
        self._image_seed, self._dynamic = image_seed, dynamic_seeds
        self.cell_renders = image_seeds
        """How many renders a new cell costs."""
        self._stop_at_goal, self._is_terminal = stop_at_goal, is_terminal
        self._ends: set[tuple[Encoding, int]] = set()
        self._paid: dict[tuple[Encoding, int], float] = {}
        self._state: Encoding = (0,) * len(grammar.shape)
        self._seed = image_seed
        self._last: tuple[tuple[Encoding, int], Image] | None = None
        self._ahead: dict[tuple[Encoding, int], Image] = {}  # drawn and paid, but not seen yet
        self.drew = False
        """Whether the last step drew a cell for the first time."""

    @property
    def renders(self) -> int:
        """Unique images so far: images drawn, those drawn ahead too, each counted once."""
        return len(self._paid) * self.cell_renders

    @property
    def ahead(self) -> int:
        """How many cells were drawn ahead and not walked to yet."""
        return len(self._ahead)

    @property
    def state(self) -> Encoding:
        """The current cell."""
        return self._state

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: seeds the environment's random source, as in every Gymnasium environment.
            options: {"start": encoding} starts there.

        Returns:
            The first observation, and information.

        Raises:
            UsageError: if the start is outside the grid.
        """
        super().reset(seed=seed)
        start = (options or {}).get("start")
        self._state = self.random_start(self.np_random) if start is None else self._checked(start)
        self._seed, self.drew = self._image_seed, False
        return self._observation(), self._information()

    def step(self, action: np.int64 | int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Move one step, draw the new cell and be paid for it.

        Args:
            action: 2i one step down axis i, 2i + 1 one step up.

        Returns:
            Observation, reward, whether the goal ended the episode, False, information.
        """
        self._state = self.world.move(self._state, int(action))
        if self._dynamic:
            self._seed = int(self.np_random.integers(2**31))
        key = (self._state, self._seed)
        self._draw([self._state])
        self.drew = key in self._ahead
        if self.drew:
            self._last = (key, self._ahead.pop(key))
        terminated = key in self._ends or (self._stop_at_goal and self._state == self.goal)
        return self._observation(), self._paid[key], terminated, False, self._information()

    def approach(self, target: Encoding) -> tuple[int, int]:
        """Walk by legal moves until one move is left to a cell; nothing on the way is drawn.

        Args:
            target: the cell.

        Returns:
            The action of the last move, for `step`, and the number of moves, that one included.
        """
        path = self.world.path(self._state, target)
        for action in path[:-1]:
            self._state = self.world.move(self._state, action)
        return path[-1], len(path)

    def draw_ahead(self, cells: Sequence[Encoding], renders: int) -> None:
        """Draw cells together that will be walked to next; cells that were drawn stay as they are.

        With dynamic seeds nothing can be drawn ahead, since a cell's seed is not known before.

        Args:
            cells: the cells, in the order of the walk.
            renders: the most unique images to spend in all, at least those spent.
        """
        if not self._dynamic:
            unique = dict.fromkeys(cells)
            new = [cell for cell in unique if (cell, self._image_seed) not in self._paid]
            self._draw(new[: (renders - self.renders) // self.cell_renders])

    def _draw(self, cells: Sequence[Encoding]) -> None:
        """Draw and pay for the cells that were never drawn with the seed of the moment."""
        seed, many = self._seed, self.cell_renders
        new = [cell for cell in dict.fromkeys(cells) if (cell, seed) not in self._paid]
        if not new:
            return
        sentences = [sentence for cell in new for sentence in [self.grammar.derive(cell)] * many]
        seeds = [seed + i for i in range(many)] * len(new)
        images = self._generator.generate(sentences, seeds)
        rewards = np.reshape(self._reward(images), (len(new), many)).mean(axis=1)
        shown = images[::many]
        ends = self._is_terminal(shown) if self._is_terminal else [False] * len(shown)
        for cell, image, reward, end in zip(new, shown, rewards, ends, strict=True):
            self._paid[cell, seed] = float(reward)
            self._ahead[cell, seed] = image
            if end:
                self._ends.add((cell, seed))

    def render(self) -> NDArray[np.uint8] | None:
        """Draw the current cell.

        Returns:
            RGB pixels (h, w, 3), or None without a render mode.
        """
        return None if self.render_mode is None else np.asarray(self.image())

    def image(self) -> Image:
        """Draw the current cell with the seed of the last step, or of the run after a reset.

        Returns:
            An RGB image: the one that was paid for, where that was the last to be drawn.
        """
        key = (self._state, self._seed)
        if self._last is None or self._last[0] != key:
            sentence = self.grammar.derive(self._state)
            self._last = (key, self._generator.generate([sentence], [self._seed])[0])
        return self._last[1]

    def known_reward(self, cell: Encoding) -> float | None:
        """Return the reward of a cell at the run's image seed, None where it was never drawn."""
        return self._paid.get((self.world.canonical(cell), self._image_seed))

    def remember(self, encoding: Encoding, seed: int, reward: float, *, ends: bool = False) -> None:
        """Set the reward that a cell had earlier, for a resumed run.

        Args:
            encoding: the cell.
            seed: the image seed.
            reward: what its image paid.
            ends: whether its image ended an episode.
        """
        self._paid[encoding, seed] = reward
        if ends:
            self._ends.add((encoding, seed))

    def return_to(self, state: Encoding) -> None:
        """Set the current cell, for a resumed run.

        Args:
            state: the cell.
        """
        self._state = self._checked(state)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy the walk; models and drawn images, which do not change, are shared."""
        last = [] if self._last is None else [self._last[1]]
        memo.update({id(image): image for image in (*last, *self._ahead.values())})
        made = memo[id(self)] = copy.copy(self)
        vars(made).update(copy.deepcopy(vars(self), memo))
        return made

    def random_start(self, rng: np.random.Generator) -> Encoding:
        """Draw a cell other than the goal, each with the same probability."""
        while True:
            state = self.world.random_state(rng)
            if state != self.goal or self.world.n_states == 1:
                return state

    def _checked(self, state: Sequence[int]) -> Encoding:
        encoding = tuple(int(i) for i in state)
        if not fits(encoding, self.grammar.shape):
            raise UsageError(f"start {encoding} is outside the grid {self.grammar.shape}")
        return self.world.canonical(encoding)

    def _observation(self) -> Observation:
        return np.array(self._state, np.int64)

    def _information(self) -> dict[str, Any]:
        distance = -1 if self.goal is None else self.world.distance(self._state, self.goal)
        return {
            "action_mask": self.world.action_mask(self._state),
            "sentence": self.grammar.derive(self._state),
            "image_seed": self._seed,
            "distance": distance,
        }


gym.register(id="rldf/EncodingGrid-v0", entry_point="rldf.runs.env:EncodingGridEnv")
