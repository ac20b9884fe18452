using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Datasets;

namespace ClaimCheck.Service.Tests.Datasets;

/// <summary>What is stored with an export is read and written by replicas of the version before too.</summary>
[Trait("needs", "nothing")]
public sealed class Frozen_datasets
{
    [Theory]
    [InlineData("true", RecordOrigin.Producer)]
    [InlineData("false", RecordOrigin.Query)]
    public void Store_where_their_records_come_from_as_the_version_before_did(string isUploaded, object origin)
    {
        var stored = $$"""
            {"name":"orders","isUploaded":{{isUploaded}},"source":"sample","sql":"SELECT 1 AS id","parameters":{},"key":"id","schemaVersion":1,"columns":[]}
            """;

        var frozen = JsonSerializer.Deserialize<FrozenDataset>(stored, ClaimCheckJson.Options)!;
        var again = JsonSerializer.SerializeToElement(frozen, ClaimCheckJson.Options);

        Assert.Equal(origin, frozen.Origin);
        Assert.Equal(isUploaded, again.GetProperty("isUploaded").GetRawText());
        Assert.False(again.TryGetProperty("origin", out _));
    }
}
