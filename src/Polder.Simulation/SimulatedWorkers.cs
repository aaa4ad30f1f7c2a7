using Polder.Runtime;

namespace Polder.Simulation;

/// <summary>Heavy work of a simulated node: done inline, on the loop, after a virtual delay.</summary>
public sealed class SimulatedWorkers : IWorkers
{
    private readonly World _world;
    private readonly SimulatedLoop _loop;

    internal SimulatedWorkers(World world, SimulatedLoop loop) => (_world, _loop) = (world, loop);

    /// <inheritdoc/>
    public int Parallelism => 2;

    /// <inheritdoc/>
    public Task<T> RunAsync<T>(Func<T> work)
    {
        var result = new TaskCompletionSource<T>();
        _world.PlanOn(_loop, _world.Options.WorkDelay, () =>
        {
            T value;
            try { value = work(); }
            catch (Exception problem)
            {
                result.SetException(problem);
                return;
            }
            result.SetResult(value);
        });
        return result.Task;
    }
}
