# depends_on on the module defers its data sources to the apply whenever the named resource changes.

resource "terraform_data" "before" {
  input = var.trigger
}

module "zones_of_the_region" {
  source = "../../.."

  depends_on = [terraform_data.before]
}

module "zones_by_name" {
  source = "../../.."

  name    = "named"
  vpc     = { availability_zones = ["eu-central-1a", "eu-central-1b"], nat_gateway = "one_per_zone" }
  kms_key = { arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555" }

  depends_on = [terraform_data.before]
}
