using Polder.Runtime;

namespace Polder.Graph;

/// <summary>The world as a graph sees it: the loop, clock and randomness of its node, and where signatures are checked.</summary>
/// <param name="Loop">The one thread of control.</param>
/// <param name="Time">Clock and timers; timers fire on the loop.</param>
/// <param name="Random">Random numbers.</param>
/// <param name="Workers">Where heavy pure work runs.</param>
public sealed record GraphEnvironment(NodeLoop Loop, TimeProvider Time, Prng Random, IWorkers Workers);
