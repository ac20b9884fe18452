using System.Globalization;
using System.Reflection;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Tests.House;

namespace ClaimCheck.Service.Tests.Catalog;

[Trait("needs", "nothing")]
public sealed class Advisory_locks
{
    [Fact]
    public void No_two_are_the_same_and_none_is_a_batchs()
    {
        var locks = typeof(AdvisoryLocks).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture)).ToList();

        Assert.NotEmpty(locks);
        Assert.Equal(locks.Distinct(), locks);
        Assert.All(locks, number => Assert.True(number > 0));
    }

    [Fact]
    public void Every_lock_that_the_service_takes_is_in_the_list() =>
        Assert.All(
            Repository.Sources.Where(source => source.Key.StartsWith("src/ClaimCheck.Service/", StringComparison.Ordinal)
                && !source.Key.EndsWith("/BatchQueue.cs", StringComparison.Ordinal)
                && source.Value.Contains("SELECT pg_advisory_xact_lock", StringComparison.Ordinal)),
            source => Assert.Contains("AdvisoryLocks.", source.Value, StringComparison.Ordinal));
}
