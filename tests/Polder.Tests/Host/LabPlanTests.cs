using Polder.Host.Lab;

namespace Polder.Tests.Host;

public sealed class LabPlanTests
{
    [Fact]
    public void The_same_seed_draws_the_same_keys_and_the_same_work()
    {
        Assert.Equal(LabPlan.Draw(7, 8, TimeSpan.FromSeconds(30)), LabPlan.Draw(7, 8, TimeSpan.FromSeconds(30)));
        Assert.NotEqual(LabPlan.Draw(7, 8, TimeSpan.FromSeconds(30)), LabPlan.Draw(8, 8, TimeSpan.FromSeconds(30)));
        Assert.Equal(LabPlan.Entropy(7, 3), LabPlan.Entropy(7, 3));
        Assert.NotEqual(LabPlan.Entropy(7, 3), LabPlan.Entropy(7, 4));
    }

    [Theory]
    [InlineData(2, 4)]
    [InlineData(3, 4)]
    [InlineData(8, 30)]
    [InlineData(32, 3600)]
    public void Work_is_bounded_in_order_and_never_for_oneself(int nodes, int seconds)
    {
        var jobs = LabPlan.Draw(1, nodes, TimeSpan.FromSeconds(seconds));
        Assert.InRange(jobs.Count, 1, LabPlan.JobsMax);
        Assert.All(jobs, job =>
        {
            Assert.InRange(job.Worker, 0, nodes - 1);
            Assert.InRange(job.Helped, 0, nodes - 1);
            Assert.NotEqual(job.Worker, job.Helped);
            Assert.InRange(job.Bytes, 1 << 20, long.MaxValue);
            Assert.InRange(job.At, LabPlan.Quiet, TimeSpan.FromSeconds(seconds));
        });
        Assert.Equal(jobs.OrderBy(job => job.At), jobs);
    }
}
